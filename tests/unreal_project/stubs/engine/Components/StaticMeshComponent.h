#pragma once

#include "Components/MeshComponent.h"

class UStaticMesh;

class UStaticMeshComponent : public UMeshComponent
{
public:
	virtual bool SetStaticMesh(UStaticMesh* NewMesh);
};
