#pragma once

#include "Engine/LevelStreaming.h"

class ULevelStreamingDynamic : public ULevelStreaming
{
public:
	static ULevelStreamingDynamic* LoadLevelInstance(UObject* WorldContextObject, FString LevelName, FVector Location,
		FRotator Rotation, bool& bOutSuccess, const FString& OptionalLevelNameOverride = {});
};
