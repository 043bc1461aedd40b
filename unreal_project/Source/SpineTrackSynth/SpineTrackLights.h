#pragma once

#include "CoreMinimal.h"
#include "UObject/WeakObjectPtrTemplates.h"

#include <vector>

#include "Photometry.h"

class AActor;
class UWorld;

/** The lights of one shot, in Unreal's axes and cm. */
struct FShotLights
{
	std::vector<SpineTrack::FSun> Suns;
	std::vector<SpineTrack::FPanel> Panels;
	std::vector<SpineTrack::FVec> Ambients;
	double Exposure = 1.0;
};

/** Spawn the lights of a shot, scaled for the fixed exposure of the cameras. */
TArray<TWeakObjectPtr<AActor>> SpawnLights(UWorld* World, const FShotLights& Wanted);
