#pragma once

#include "Components/SkinnedMeshComponent.h"

class UAnimInstance;
class USkeletalMesh;

namespace EAnimationMode
{
enum Type : int { AnimationBlueprint, AnimationSingleNode, AnimationCustomMode };
}

class USkeletalMeshComponent : public USkinnedMeshComponent
{
public:
	void SetSkeletalMeshAsset(USkeletalMesh* NewMesh);
	void SetAnimationMode(EAnimationMode::Type InAnimationMode, bool bForceInitAnimScriptInstance = true);
	void SetAnimInstanceClass(UClass* NewClass);
	UAnimInstance* GetAnimInstance() const;
	void TickAnimation(float DeltaTime, bool bNeedsValidRootMotion);
	virtual void RefreshBoneTransforms(FActorComponentTickFunction* TickFunction = nullptr) override;
	virtual void FinalizeBoneTransform() override;
};
