#pragma once

#include "Engine/EngineTypes.h"
#include "UObject/Object.h"

class UActorComponent : public UObject
{
public:
	void MarkRenderDynamicDataDirty();
	void MarkRenderTransformDirty();
};

class USceneComponent : public UActorComponent
{
public:
	static UClass* StaticClass();
	virtual void SetMobility(EComponentMobility::Type NewMobility);
	void UpdateComponentToWorld();
};
