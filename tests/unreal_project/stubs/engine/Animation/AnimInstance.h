#pragma once

#include "UObject/Object.h"

struct FAnimInstanceProxy;

class UAnimInstance : public UObject
{
protected:
	virtual FAnimInstanceProxy* CreateAnimInstanceProxy();
	virtual void DestroyAnimInstanceProxy(FAnimInstanceProxy* InProxy);
};
