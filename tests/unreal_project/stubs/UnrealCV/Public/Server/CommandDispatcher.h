#pragma once

#include "CoreMinimal.h"
#include "ExecStatus.h"

DECLARE_DELEGATE_RetVal_OneParam(FExecStatus, FDispatcherDelegate, const TArray<FString>&)

class FCommandDispatcher
{
public:
	[[nodiscard]] bool BindCommand(
		const FString& UriTemplate, const FDispatcherDelegate& Command, const FString& Description);
};
