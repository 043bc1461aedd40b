#pragma once

#include "CoreMinimal.h"

struct FReferenceSkeleton
{
	int32 GetNum() const;
	int32 GetParentIndex(int32 BoneIndex) const;
	FName GetBoneName(int32 BoneIndex) const;
	const TArray<FTransform>& GetRefBonePose() const;
};
