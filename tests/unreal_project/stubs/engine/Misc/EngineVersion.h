#pragma once

#include "CoreMinimal.h"

class FEngineVersion
{
public:
	static const FEngineVersion& Current();
	FString ToString() const;
};
