#pragma once

#include "CoreMinimal.h"

class FExecStatus
{
public:
	[[nodiscard]] static FExecStatus OK(const FString& Message = {});
	[[nodiscard]] static FExecStatus Error(const FString& ErrorMessage);
	static const FExecStatus InvalidArgument;
};
