#pragma once

#include "CoreMinimal.h"
#include "UObject/ObjectMacros.h"
#include "UObject/UObjectGlobals.h"

class UObject
{
public:
	virtual ~UObject();
	static UClass* StaticClass();
	FString GetName() const;
	bool Rename(const TCHAR* NewName = nullptr, UObject* NewOuter = nullptr, ERenameFlags Flags = REN_None);
	template <typename T> T* CreateDefaultSubobject(FName SubobjectName, bool bTransient = false);
};

bool IsValid(const UObject* Test);
template <typename To, typename From> To* Cast(From* Src);
template <typename To, typename From> To* CastChecked(From* Src);
template <typename T> const T* GetDefault();
