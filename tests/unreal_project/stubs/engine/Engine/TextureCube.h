#pragma once

#include "UObject/Object.h"

class UTextureCube : public UObject
{
};
