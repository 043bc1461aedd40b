#pragma once

#include "CoreMinimal.h"

class FConfigCacheIni
{
public:
	bool GetString(const TCHAR* Section, const TCHAR* Key, FString& Value, const FString& Filename);
};

extern FConfigCacheIni* GConfig;
extern FString GGameIni;
