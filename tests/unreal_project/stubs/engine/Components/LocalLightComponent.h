#pragma once

#include "Components/LightComponent.h"

enum class ELightUnits : uint8 { Unitless, Candelas, Lumens };

class ULocalLightComponent : public ULightComponent
{
public:
	void SetAttenuationRadius(float NewRadius);
	void SetIntensityUnits(ELightUnits NewIntensityUnits);
};
