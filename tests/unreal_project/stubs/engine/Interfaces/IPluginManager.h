#pragma once

#include "CoreMinimal.h"

struct FPluginDescriptor
{
	FString VersionName;
};

class IPlugin
{
public:
	virtual ~IPlugin();
	virtual const FPluginDescriptor& GetDescriptor() const = 0;
};

class IPluginManager
{
public:
	virtual ~IPluginManager();
	static IPluginManager& Get();
	virtual TSharedPtr<IPlugin> FindPlugin(const FString& Name) = 0;
};
