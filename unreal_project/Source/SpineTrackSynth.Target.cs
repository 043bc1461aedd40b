using UnrealBuildTool;

public class SpineTrackSynthTarget : TargetRules
{
	public SpineTrackSynthTarget(TargetInfo Target) : base(Target)
	{
		Type = TargetType.Game;
		DefaultBuildSettings = BuildSettingsVersion.Latest;
		IncludeOrderVersion = EngineIncludeOrderVersion.Latest;
		ExtraModuleNames.Add("SpineTrackSynth");
	}
}
