#pragma once

#include "Components/SceneComponent.h"

class ULightComponentBase : public USceneComponent
{
};
