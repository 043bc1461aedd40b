#pragma once

#include "Components/LightComponentBase.h"

class UTextureCube;

enum ESkyLightSourceType : int { SLS_CapturedScene, SLS_SpecifiedCubemap };

class USkyLightComponent : public ULightComponentBase
{
public:
	ESkyLightSourceType SourceType;
	bool bLowerHemisphereIsBlack;
	void SetIntensity(float NewIntensity);
	void SetLightColor(FLinearColor NewLightColor);
	void SetCubemap(UTextureCube* NewCubemap);
	void SetRealTimeCaptureEnabled(bool bNewRealTimeCaptureEnabled);
	void RecaptureSky();
};
