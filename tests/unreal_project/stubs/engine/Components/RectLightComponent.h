#pragma once

#include "Components/LocalLightComponent.h"

class URectLightComponent : public ULocalLightComponent
{
public:
	void SetSourceWidth(float NewValue);
	void SetSourceHeight(float NewValue);
	void SetBarnDoorLength(float NewValue);
};
