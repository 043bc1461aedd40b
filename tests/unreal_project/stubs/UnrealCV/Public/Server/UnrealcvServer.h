#pragma once

#include "CommandDispatcher.h"

class FUnrealcvServer
{
public:
	static FUnrealcvServer& Get();
	[[nodiscard]] UWorld* GetWorld() const;
	[[nodiscard]] TSharedPtr<FCommandDispatcher> GetCommandDispatcher() const;
};
