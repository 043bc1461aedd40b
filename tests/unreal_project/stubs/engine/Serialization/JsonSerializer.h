#pragma once

#include "Dom/JsonValue.h"
#include "Serialization/JsonReader.h"

struct FJsonSerializer
{
	template <typename CharType>
	static bool Deserialize(const TSharedRef<TJsonReader<CharType>>& Reader, TSharedPtr<FJsonValue>& OutValue);
};
