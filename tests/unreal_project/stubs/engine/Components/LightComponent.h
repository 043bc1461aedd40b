#pragma once

#include "Components/LightComponentBase.h"

class ULightComponent : public ULightComponentBase
{
public:
	void SetIntensity(float NewIntensity);
	void SetLightColor(FLinearColor NewLightColor, bool bSRGB = true);
};
