#pragma once

#include "CoreMinimal.h"

template <typename T> struct TWeakObjectPtr
{
	TWeakObjectPtr(std::nullptr_t = nullptr);
	template <typename U> TWeakObjectPtr(U* Object) { static_cast<void>(static_cast<T*>(Object)); }
	bool IsValid() const;
	T* operator->() const;
	T* Get() const;
};
