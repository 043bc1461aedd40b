#pragma once

#include "CoreMinimal.h"

class IModuleInterface
{
public:
	virtual ~IModuleInterface();
	virtual void StartupModule();
};

class FDefaultGameModuleImpl : public IModuleInterface
{
};

#define IMPLEMENT_PRIMARY_GAME_MODULE(ModuleImplClass, ModuleName, GameName) extern ModuleImplClass ModuleName##Module
