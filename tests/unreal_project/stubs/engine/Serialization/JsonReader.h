#pragma once

#include "CoreMinimal.h"

template <typename CharType = TCHAR> class TJsonReader
{
};

template <typename CharType = TCHAR> struct TJsonReaderFactory
{
	static TSharedRef<TJsonReader<CharType>> Create(const FString& JsonString);
};
