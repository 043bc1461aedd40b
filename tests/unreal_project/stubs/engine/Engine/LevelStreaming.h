#pragma once

#include "UObject/Object.h"

class ULevel;

class ULevelStreaming : public UObject
{
public:
	uint8 bShouldBlockOnLoad : 1;
	void SetIsRequestingUnloadAndRemoval(bool bInIsRequestingUnloadAndRemoval);
	ULevel* GetLoadedLevel() const;
};
