#include "Modules/ModuleManager.h"
#include "SpineTrackCommands.h"

/** Registers the commands; UnrealCV's own module is loaded before this one. */
class FSpineTrackSynthModule : public FDefaultGameModuleImpl
{
	virtual void StartupModule() override
	{
		Commands.Register();
	}

	FSpineTrackCommands Commands;
};

IMPLEMENT_PRIMARY_GAME_MODULE(FSpineTrackSynthModule, SpineTrackSynth, "SpineTrackSynth");
