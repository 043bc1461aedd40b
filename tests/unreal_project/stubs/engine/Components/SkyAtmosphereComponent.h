#pragma once

#include "Components/SceneComponent.h"
#include "GameFramework/Actor.h"

class USkyAtmosphereComponent : public USceneComponent
{
public:
	void SetSkyLuminanceFactor(FLinearColor NewValue);
	void SetMieScatteringScale(float NewValue);
};

class ASkyAtmosphere : public AActor
{
public:
	static UClass* StaticClass();
};
