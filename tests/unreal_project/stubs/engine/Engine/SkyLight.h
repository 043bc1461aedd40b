#pragma once

#include "GameFramework/Actor.h"

class USkyLightComponent;

class ASkyLight : public AActor
{
public:
	static UClass* StaticClass();
	USkyLightComponent* GetLightComponent() const;
};
