#pragma once

#include "GameFramework/Actor.h"

class UStaticMeshComponent;

class AStaticMeshActor : public AActor
{
public:
	static UClass* StaticClass();
	void SetMobility(EComponentMobility::Type InMobility);
	UStaticMeshComponent* GetStaticMeshComponent() const;
};
