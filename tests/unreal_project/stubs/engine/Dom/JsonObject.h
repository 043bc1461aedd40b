#pragma once

#include "Dom/JsonValue.h"

/** A FString up to 5.7, another type from then on: only what both have. */
class FJsonKey
{
public:
	const TCHAR* operator*() const;
};

class FJsonObject
{
public:
	TMap<FJsonKey, TSharedPtr<FJsonValue>> Values;
	TSharedPtr<FJsonValue> TryGetField(FStringView FieldName) const;
	bool TryGetStringField(FStringView FieldName, FString& OutString) const;
	bool TryGetNumberField(FStringView FieldName, double& OutNumber) const;
	bool TryGetArrayField(FStringView FieldName, const TArray<TSharedPtr<FJsonValue>>*& OutArray) const;
};
