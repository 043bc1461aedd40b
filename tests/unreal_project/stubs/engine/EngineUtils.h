#pragma once

#include "Engine/World.h"
#include "GameFramework/Actor.h"

template <typename T> class TActorIterator
{
public:
	explicit TActorIterator(const UWorld* InWorld);
	explicit operator bool() const;
	void operator++();
	T* operator*() const;
	T* operator->() const;
};
