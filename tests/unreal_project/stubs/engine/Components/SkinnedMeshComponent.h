#pragma once

#include "Components/MeshComponent.h"

struct FActorComponentTickFunction;

enum class EVisibilityBasedAnimTickOption : uint8
{
	AlwaysTickPoseAndRefreshBones,
	AlwaysTickPose,
	OnlyTickMontagesWhenNotRendered,
	OnlyTickPoseWhenRendered
};

class USkinnedMeshComponent : public UMeshComponent
{
public:
	EVisibilityBasedAnimTickOption VisibilityBasedAnimTickOption;
	uint8 bEnableUpdateRateOptimizations : 1;
	void SetForcedLOD(int32 InNewForcedLOD);
	FTransform GetBoneTransform(int32 BoneIndex) const;
	FTransform GetBoneTransform(int32 BoneIndex, const FTransform& LocalToWorld) const;
	virtual void RefreshBoneTransforms(FActorComponentTickFunction* TickFunction = nullptr) = 0;
	virtual void FinalizeBoneTransform();
};
