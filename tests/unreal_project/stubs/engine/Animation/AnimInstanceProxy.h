#pragma once

#include "Animation/AnimInstance.h"

struct FPoseContext;

struct FAnimInstanceProxy
{
	FAnimInstanceProxy();
	FAnimInstanceProxy(UAnimInstance* Instance);
	virtual ~FAnimInstanceProxy();

protected:
	virtual void PreUpdate(UAnimInstance* InAnimInstance, float DeltaSeconds);
	virtual bool Evaluate(FPoseContext& Output);
};
