#include "CoreMinimal.h"
#include "Misc/EngineVersionComparison.h"
#include "Modules/ModuleManager.h"
#include "SpineTrackCommands.h"

#if UE_VERSION_OLDER_THAN(5, 4, 0)
#error "SpineTrackSynth needs Unreal Engine 5.4 or newer"
#endif

/** Registers the commands; UnrealCV's own module is loaded before this one. */
class FSpineTrackSynthModule : public FDefaultGameModuleImpl
{
	virtual void StartupModule() override
	{
		// UnrealCV starts no server in the cooker, and asking for it would make one.
		if (!IsRunningCommandlet())
		{
			Commands.Register();
		}
	}

	FSpineTrackCommands Commands;
};

IMPLEMENT_PRIMARY_GAME_MODULE(FSpineTrackSynthModule, SpineTrackSynth, "SpineTrackSynth");
