#pragma once

#include "CoreMinimal.h"

class FJsonObject;

class FJsonValue
{
public:
	bool TryGetNumber(double& OutNumber) const;
	bool TryGetArray(const TArray<TSharedPtr<FJsonValue>>*& OutArray) const;
	bool TryGetObject(const TSharedPtr<FJsonObject>*& Object) const;
};
