#pragma once

#include "Components/LightComponent.h"

class UDirectionalLightComponent : public ULightComponent
{
public:
	void SetAtmosphereSunLight(bool bNewValue);
};
