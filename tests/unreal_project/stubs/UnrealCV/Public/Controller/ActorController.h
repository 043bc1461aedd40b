#pragma once

#include "GameFramework/Actor.h"

class FActorController
{
public:
	FActorController(AActor* InActor);
	void SetAnnotationColor(const FColor& AnnotationColor);
};
