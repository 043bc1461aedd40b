#pragma once

#include "CoreMinimal.h"

struct ConstructorHelpers
{
	template <typename T> struct FObjectFinder
	{
		TObjectPtr<T> Object;
		FObjectFinder(const TCHAR* ObjectToFind, uint32 InLoadFlags = 0);
		bool Succeeded() const;
	};
};
