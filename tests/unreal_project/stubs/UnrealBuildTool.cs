// The names of UnrealBuildTool that the project's rules use, and a program that applies them:
// it prints the definitions of the module for the project in the folder that it is given.
using System;
using System.Collections.Generic;

namespace UnrealBuildTool
{
	public class DirectoryReference
	{
		public string FullName;
	}

	public class FileReference
	{
		public DirectoryReference Directory;
	}

	public class ReadOnlyTargetRules
	{
		public FileReference ProjectFile;
	}

	public enum PCHUsageMode { UseExplicitOrSharedPCHs }

	public class ModuleRules
	{
		public PCHUsageMode PCHUsage;
		public List<string> PublicDependencyModuleNames = new List<string>();
		public List<string> PrivateDependencyModuleNames = new List<string>();
		public List<string> PrivateDefinitions = new List<string>();
		public List<string> ExternalDependencies = new List<string>();

		public ModuleRules(ReadOnlyTargetRules Target)
		{
		}
	}

	public class TargetInfo
	{
	}

	public enum TargetType { Game, Editor }
	public enum BuildSettingsVersion { Latest }
	public enum EngineIncludeOrderVersion { Latest }

	public class TargetRules
	{
		public TargetType Type;
		public BuildSettingsVersion DefaultBuildSettings;
		public EngineIncludeOrderVersion IncludeOrderVersion;
		public List<string> ExtraModuleNames = new List<string>();

		public TargetRules(TargetInfo Target)
		{
		}
	}

	public static class Program
	{
		public static void Main(string[] Arguments)
		{
			var Folder = new DirectoryReference { FullName = Arguments[0] };
			var Target = new ReadOnlyTargetRules { ProjectFile = new FileReference { Directory = Folder } };
			var Module = new global::SpineTrackSynth(Target);
			Console.WriteLine(string.Join("\n", Module.PrivateDefinitions));
			Console.WriteLine(Module.ExternalDependencies.Count);
		}
	}
}
