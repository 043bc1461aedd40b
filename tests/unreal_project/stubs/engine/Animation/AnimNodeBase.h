#pragma once

#include "CoreMinimal.h"

struct FMeshPoseBoneIndex
{
	int32 GetInt() const;
};
struct FCompactPoseBoneIndex
{
	int32 GetInt() const;
};
struct FBoneIndexRange
{
	const FCompactPoseBoneIndex* begin() const;
	const FCompactPoseBoneIndex* end() const;
};
struct FBoneContainer
{
	FMeshPoseBoneIndex MakeMeshPoseIndex(const FCompactPoseBoneIndex& BoneIndex) const;
};
struct FCompactPose
{
	const FBoneContainer& GetBoneContainer() const;
	FBoneIndexRange ForEachBoneIndex() const;
	FTransform& operator[](const FCompactPoseBoneIndex& BoneIndex);
};
struct FPoseContext
{
	FCompactPose Pose;
	void ResetToRefPose();
};
