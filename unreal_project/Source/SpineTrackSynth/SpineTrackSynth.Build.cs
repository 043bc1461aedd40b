using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using UnrealBuildTool;

public class SpineTrackSynth : ModuleRules
{
	public SpineTrackSynth(ReadOnlyTargetRules Target) : base(Target)
	{
		PCHUsage = PCHUsageMode.UseExplicitOrSharedPCHs;
		PublicDependencyModuleNames.AddRange(new[] { "Core", "CoreUObject", "Engine" });
		PrivateDependencyModuleNames.AddRange(new[] { "Json", "Projects", "UnrealCV" });
		PrivateDefinitions.Add("SPINETRACK_PROJECT_HASH=\"" + ProjectHash(Target.ProjectFile.Directory.FullName) + "\"");
	}

	/// SHA-256 over what the pictures depend on: sources, settings, editor scripts and exported
	/// assets, as names and contents in the order of their names. It goes into every manifest.
	private string ProjectHash(string Root)
	{
		var Files = new SortedDictionary<string, string>(StringComparer.Ordinal);
		foreach (string Folder in new[] { "Source", "Config", "Content/Python", "Exported" })
		{
			string Whole = Path.Combine(Root, Folder);
			if (Directory.Exists(Whole))
			{
				foreach (string Found in Directory.GetFiles(Whole, "*", SearchOption.AllDirectories))
				{
					Files.Add(Found.Substring(Root.Length + 1).Replace('\\', '/'), Found);
				}
			}
		}
		var Hash = new SpineTrackSha256();
		foreach (KeyValuePair<string, string> Entry in Files)
		{
			if (!Entry.Key.Contains("__pycache__"))
			{
				ExternalDependencies.Add(Entry.Value);
				Hash.Add(Encoding.UTF8.GetBytes(Entry.Key + "\n"));
				Hash.Add(File.ReadAllBytes(Entry.Value));
			}
		}
		return Hash.Finish();
	}
}

/// SHA-256 (FIPS 180-4), written out: which of .NET's hashing assemblies a build tool shows to
/// rules differs between the engine's versions.
public class SpineTrackSha256
{
	private static readonly uint[] K =
	{
		0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
		0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
		0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
		0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
		0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
		0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
		0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
		0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
	};

	private readonly uint[] State =
	{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};
	private readonly byte[] Block = new byte[64];
	private readonly uint[] W = new uint[64];
	private ulong Length;

	public void Add(byte[] Bytes)
	{
		foreach (byte One in Bytes)
		{
			Block[Length++ % 64] = One;
			if (Length % 64 == 0)
			{
				Mix();
			}
		}
	}

	/// The hash of all that was added, in lower-case hexadecimal digits.
	public string Finish()
	{
		ulong Bits = 8 * Length;
		Add(new byte[] { 0x80 });
		while (Length % 64 != 56)
		{
			Add(new byte[] { 0 });
		}
		for (int Shift = 56; Shift >= 0; Shift -= 8)
		{
			Add(new[] { (byte)(Bits >> Shift) });
		}
		var Digits = new StringBuilder();
		foreach (uint Word in State)
		{
			Digits.Append(Word.ToString("x8"));
		}
		return Digits.ToString();
	}

	private static uint Rotated(uint Word, int By)
	{
		return (Word >> By) | (Word << (32 - By));
	}

	private void Mix()
	{
		for (int I = 0; I < 16; I++)
		{
			W[I] = (uint)(Block[4 * I] << 24 | Block[4 * I + 1] << 16 | Block[4 * I + 2] << 8 | Block[4 * I + 3]);
		}
		for (int I = 16; I < 64; I++)
		{
			uint S0 = Rotated(W[I - 15], 7) ^ Rotated(W[I - 15], 18) ^ (W[I - 15] >> 3);
			uint S1 = Rotated(W[I - 2], 17) ^ Rotated(W[I - 2], 19) ^ (W[I - 2] >> 10);
			W[I] = unchecked(W[I - 16] + S0 + W[I - 7] + S1);
		}
		uint A = State[0], B = State[1], C = State[2], D = State[3];
		uint E = State[4], F = State[5], G = State[6], H = State[7];
		for (int I = 0; I < 64; I++)
		{
			uint S1 = Rotated(E, 6) ^ Rotated(E, 11) ^ Rotated(E, 25);
			uint T1 = unchecked(H + S1 + ((E & F) ^ (~E & G)) + K[I] + W[I]);
			uint S0 = Rotated(A, 2) ^ Rotated(A, 13) ^ Rotated(A, 22);
			uint T2 = unchecked(S0 + ((A & B) ^ (A & C) ^ (B & C)));
			H = G;
			G = F;
			F = E;
			E = unchecked(D + T1);
			D = C;
			C = B;
			B = A;
			A = unchecked(T1 + T2);
		}
		uint[] Mixed = { A, B, C, D, E, F, G, H };
		for (int I = 0; I < 8; I++)
		{
			State[I] = unchecked(State[I] + Mixed[I]);
		}
	}
}
