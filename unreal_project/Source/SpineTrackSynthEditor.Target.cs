using UnrealBuildTool;

public class SpineTrackSynthEditorTarget : TargetRules
{
	public SpineTrackSynthEditorTarget(TargetInfo Target) : base(Target)
	{
		Type = TargetType.Editor;
		DefaultBuildSettings = BuildSettingsVersion.Latest;
		IncludeOrderVersion = EngineIncludeOrderVersion.Latest;
		ExtraModuleNames.Add("SpineTrackSynth");
	}
}
