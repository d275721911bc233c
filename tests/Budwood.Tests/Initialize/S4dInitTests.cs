using Budwood.Initialize;
using Budwood.Lab.Worlds;
using Budwood.Numbers;
using Budwood.Tests.Fixtures;

namespace Budwood.Tests.Initialize;

public class S4dInitTests
{
    private static Arrays Made(S4dInit.Parameters p, long seed = 0) => TestDesk.Run(new S4dInit(), p, seed)["tensors"].Arrays;

    [Fact]
    public void Tensors_of_a_layer()
    {
        Arrays t = Made(new S4dInit.Parameters { States = 8, Channels = 500 });
        Assert.Equal(["A.im", "A.re", "B.im", "B.re", "C.im", "C.re", "D", "log_step"], t.Names);
        Assert.Equal(new Shape(500, 4), t["A.im"].Shape);
        Assert.All(t["A.re"].Values, v => Assert.Equal(-0.5, v));
        Assert.Equal(-Math.PI * 3, t["A.im"].Row(7)[3], 1e-14);
        Assert.All(t["log_step"].Values, v => Assert.InRange(v, Math.Log(0.001), Math.Log(0.1)));
        Assert.Equal(1, t["C.re"].Values.Zip(t["C.im"].Values, (x, y) => (x * x) + (y * y)).Average(), 0.1);
        Assert.Equal(t["C.re"].Values, Made(new S4dInit.Parameters { States = 8, Channels = 500 })["C.re"].Values);
        Assert.NotEqual(t["C.re"].Values, Made(new S4dInit.Parameters { States = 8, Channels = 500 }, 1)["C.re"].Values);
    }

    [Fact]
    public void Every_kind_runs_and_decays()
    {
        foreach (S4DKind kind in Enum.GetValues<S4DKind>())
            Assert.All(Made(new S4dInit.Parameters { Init = kind, States = 16, Normalize = true })["A.re"].Values, v => Assert.True(v < 0));
        Assert.Equal(0, Made(new S4dInit.Parameters { Init = S4DKind.Legs, ImaginaryScale = 0 })["A.im"].Values.Max(Math.Abs));
        Tables.Refused("BW1801", () => Made(new S4dInit.Parameters { States = 7 }));
        Tables.Refused("BW1802", () => Made(new S4dInit.Parameters { StepMinimum = 1 }));
    }

    [Fact]
    public void Imaginary_parts_carry_the_memory()
    {
        double Nmse(S4DKind kind, int delay) => TestDesk.Run(new S4dDelay(), new S4dDelay.Parameters { Init = kind, Samples = 6000, Delay = delay }, 0)["recall"].Table.Numbers("nmse")[0];
        Assert.True(Nmse(S4DKind.Lin, 500) < 0.5 && Nmse(S4DKind.Real, 500) > 0.7, $"{Nmse(S4DKind.Lin, 500)} {Nmse(S4DKind.Real, 500)}");
        Assert.True(Nmse(S4DKind.Real, 0) < 0.2);
    }
}
