#pragma once

#define UCLASS(...)
#define UPROPERTY(...)
#define GENERATED_BODY()

enum ERenameFlags { REN_None = 0x0000, REN_DontCreateRedirectors = 0x0010 };
