#pragma once

#include "UObject/ObjectMacros.h"

namespace EComponentMobility
{
enum Type : int { Static, Stationary, Movable };
}

namespace ECollisionEnabled
{
enum Type : int { NoCollision, QueryOnly, PhysicsOnly, QueryAndPhysics };
}

enum class ESpawnActorCollisionHandlingMethod : unsigned char { Undefined, AlwaysSpawn };
