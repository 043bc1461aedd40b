#pragma once

#include "Engine/Light.h"

class ADirectionalLight : public ALight
{
public:
	static UClass* StaticClass();
};
