#pragma once

#ifndef ENGINE_MINOR_VERSION
#define ENGINE_MINOR_VERSION 4 // the least version; the tests try others
#endif

#define UE_VERSION_OLDER_THAN(Major, Minor, Patch) \
	(5 < (Major) || (5 == (Major) && (ENGINE_MINOR_VERSION < (Minor) || (ENGINE_MINOR_VERSION == (Minor) && 0 < (Patch)))))
