#pragma once

#include "Components/SceneComponent.h"

class UPrimitiveComponent : public USceneComponent
{
public:
	virtual void SetCollisionEnabled(ECollisionEnabled::Type NewType);
	void SetBoundsScale(float NewBoundsScale = 1.0f);
};
