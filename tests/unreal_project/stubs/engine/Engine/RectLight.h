#pragma once

#include "Engine/Light.h"

class URectLightComponent;

class ARectLight : public ALight
{
public:
	static UClass* StaticClass();
	TObjectPtr<URectLightComponent> RectLightComponent;
};
