using System;
using System.Collections.Generic;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using UnrealBuildTool;

public class SpineTrackSynth : ModuleRules
{
	public SpineTrackSynth(ReadOnlyTargetRules Target) : base(Target)
	{
		PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
		PublicDependencyModuleNames.AddRange(new[] { "Core", "CoreUObject", "Engine" });
		PrivateDependencyModuleNames.AddRange(new[] { "Json", "Projects", "UnrealCV" });
		PrivateDefinitions.Add("SPINETRACK_PROJECT_HASH=\"" + ProjectHash(Target) + "\"");
	}

	/// SHA-256 over what the pictures depend on: sources, settings, editor scripts and exported
	/// assets, as names and contents in the order of their names. It goes into every manifest.
	private string ProjectHash(ReadOnlyTargetRules Target)
	{
		string Root = Target.ProjectFile.Directory.FullName;
		var Files = new List<string>();
		foreach (string Folder in new[] { "Source", "Config", "Content/Python", "Exported" })
		{
			string Path = System.IO.Path.Combine(Root, Folder);
			if (Directory.Exists(Path))
			{
				Files.AddRange(Directory.GetFiles(Path, "*", SearchOption.AllDirectories));
			}
		}
		Files.RemoveAll(File => File.Contains("__pycache__"));
		Files.Sort(StringComparer.Ordinal);
		using (IncrementalHash Hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
		{
			foreach (string File in Files)
			{
				ExternalDependencies.Add(File);
				string Name = System.IO.Path.GetRelativePath(Root, File).Replace('\\', '/');
				Hash.AppendData(Encoding.UTF8.GetBytes(Name + "\n"));
				Hash.AppendData(System.IO.File.ReadAllBytes(File));
			}
			return BitConverter.ToString(Hash.GetHashAndReset()).Replace("-", "").ToLowerInvariant();
		}
	}
}
