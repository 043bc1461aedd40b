#pragma once

#include "UObject/Object.h"

struct FReferenceSkeleton;

class USkeletalMesh : public UObject
{
public:
	const FReferenceSkeleton& GetRefSkeleton() const;
};
