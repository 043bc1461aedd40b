#pragma once

#include "CoreMinimal.h"

struct FPackageName
{
	static bool DoesPackageExist(const FString& LongPackageName, FString* OutFilename = nullptr);
};
