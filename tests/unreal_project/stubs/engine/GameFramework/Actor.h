#pragma once

#include "Components/SceneComponent.h"

class AActor : public UObject
{
public:
	static UClass* StaticClass();
	TArray<FName> Tags;
	TArray<TObjectPtr<AActor>> Children;
	bool Destroy(bool bNetForce = false, bool bShouldModifyLevel = true);
	bool ActorHasTag(FName Tag) const;
	void SetActorScale3D(FVector NewScale3D);
	bool SetActorLocationAndRotation(FVector NewLocation, const FQuat& NewRotation, bool bSweep = false);
	bool SetRootComponent(USceneComponent* NewRootComponent);
	template <typename T> T* FindComponentByClass() const;

protected:
	TObjectPtr<USceneComponent> RootComponent;
};
