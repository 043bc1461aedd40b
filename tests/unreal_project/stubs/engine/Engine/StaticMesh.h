#pragma once

#include "UObject/Object.h"

class UStaticMesh : public UObject
{
};
