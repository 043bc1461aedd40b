#pragma once

#include "GameFramework/Actor.h"

class ULightComponent;

class ALight : public AActor
{
public:
	ULightComponent* GetLightComponent() const;
};
